// The processes of Dagster (code server, daemon and webserver, from one image), and the job that upgrades the schema.
param location string
param environmentId string
param registryServer string
param imageTag string
param settings object
param sqlServer string
param sqlDatabase string
param postgresServer string
param storageAccount string
param vaultUrl string
param writer object
param owner object
param reader object
param pages object
param signInClientId string
param jobPerRun bool

@description('Resource group of the Container Apps jobs of runs.')
param runsGroup string
param runCores string

@description('Address of the Databricks workspace that does heavy work, and the number of the job there. Empty and 0 without one.')
param databricksUrl string
param databricksJob int

var image = '${registryServer}/mfcc:${imageTag}'
var registries = [{ server: registryServer, identity: writer.id }]
var identity = {
  type: 'UserAssigned'
  userAssignedIdentities: {
    '${writer.id}': {}
  }
}

var codePort = 4000
var uiPort = 3000

var settingsOfAll = map(items(settings), setting => {
  name: setting.key
  value: setting.value
})

// Every listing of a container is a paid request, so the sensor does not wait for uploads; see COSTS.md. The cache must
// fit on the disk of a replica, which has 8 GiB with two or more cores.
var settingsOfWriter = [
  {
    name: 'MFCC_DATABASE_URL'
    value: 'mssql+mssqlpython://${writer.clientId}@${sqlServer}/${sqlDatabase}?authentication=ActiveDirectoryMSI'
  }
  {
    name: 'MFCC_WATCH_SECONDS'
    value: '0'
  }
  {
    // A sweep of the library resumes the database, which costs money until it pauses again: a third of the time with one
    // sweep per hour, and all the time with one per minute. New and deleted files are found within seconds without a
    // sweep. Only unfinished work of a dead run waits for the next one.
    name: 'MFCC_LIBRARY_SWEEP_SECONDS'
    value: '21600'
  }
  {
    // A sweep of uploads queries only Cosmos DB, for all uploads that were answered.
    name: 'MFCC_SWEEP_SECONDS'
    value: '600'
  }
  {
    name: 'MFCC_CACHE_GIGABYTES'
    value: runCores == '1.0' ? '2' : '5'
  }
  {
    name: 'AZURE_CLIENT_ID'
    value: writer.clientId
  }
  { name: 'MFCC_COMPUTE', value: databricksJob == 0 ? 'local' : 'databricks' }
  { name: 'MFCC_DATABRICKS_URL', value: databricksUrl }
  { name: 'MFCC_DATABRICKS_JOB', value: string(databricksJob) }
]

// dagster.yaml and dagster-job-per-run.yaml read these variables.
var settingsOfDagster = [
  { name: 'DAGSTER_HOME', value: jobPerRun ? '/opt/dagster/job-per-run' : '/opt/dagster/azure' }
  { name: 'DAGSTER_POSTGRES_HOST', value: postgresServer }
  { name: 'DAGSTER_POSTGRES_USER', value: writer.name }
  { name: 'DAGSTER_LOGS_ACCOUNT', value: storageAccount }
  { name: 'DAGSTER_RUNS_SUBSCRIPTION', value: subscription().subscriptionId }
  { name: 'DAGSTER_RUNS_GROUP', value: runsGroup }
  { name: 'DAGSTER_RUNS_REGION', value: location }
  { name: 'DAGSTER_RUNS_ENVIRONMENT', value: environmentId }
  { name: 'DAGSTER_RUNS_IDENTITY', value: writer.id }
]

// The container of a job for a run.
var settingsOfCode = [
  {
    name: 'DAGSTER_CONTAINER_IMAGE'
    value: image
  }
  {
    name: 'DAGSTER_CONTAINER_CONTEXT'
    value: string({
      aca: {
        run_resources: resourcesOfRuns
      }
    })
  }
]

var variables = concat(settingsOfAll, settingsOfWriter, settingsOfDagster)

var resourcesOfRuns = {
  cpu: runCores
  memory: '${2 * int(first(split(runCores, '.')))}Gi'
}
var resourcesOfServers = {
  cpu: '0.5'
  memory: '1Gi'
}
var runsInCode = jobPerRun ? resourcesOfServers : resourcesOfRuns

// Each process has one replica. Two daemons would request every run twice, and runs are processes of one code server.
var one = {
  minReplicas: 1
  maxReplicas: 1
}

resource code 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'code'
  location: location
  identity: identity
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      registries: registries
      ingress: {
        external: false
        transport: 'tcp'
        targetPort: codePort
        exposedPort: codePort
      }
    }
    template: {
      // When the code server is stopped, it starts no more runs and waits for its runs. This is the longest time that
      // Azure allows.
      terminationGracePeriodSeconds: 600
      containers: [
        {
          name: 'code'
          image: image
          command: [
            'dagster'
            'code-server'
            'start'
            '-h'
            '0.0.0.0'
            '-p'
            '${codePort}'
            '-m'
            'mfcc_assets.definitions'
          ]
          env: concat(variables, settingsOfCode)
          resources: {
            cpu: json(runsInCode.cpu)
            memory: runsInCode.memory
          }
          probes: [
            {
              type: 'Startup'
              tcpSocket: {
                port: codePort
              }
              periodSeconds: 5
              failureThreshold: 24
            }
            {
              type: 'Liveness'
              tcpSocket: {
                port: codePort
              }
              periodSeconds: 30
            }
          ]
        }
      ]
      scale: one
    }
  }
}

resource daemon 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'daemon'
  location: location
  identity: identity
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      registries: registries
    }
    template: {
      containers: [
        {
          name: 'daemon'
          image: image
          command: [
            'dagster-daemon'
            'run'
            '-w'
            '/opt/dagster/workspace.yaml'
          ]
          env: variables
          resources: {
            cpu: json(resourcesOfServers.cpu)
            memory: resourcesOfServers.memory
          }
        }
      ]
      scale: one
    }
  }
  dependsOn: [
    code
  ]
}

resource webserver 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'webserver'
  location: location
  identity: identity
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      registries: registries
      ingress: {
        external: true
        transport: 'auto'
        targetPort: uiPort
        allowInsecure: false
      }
      secrets: [
        {
          name: 'sign-in'
          keyVaultUrl: '${vaultUrl}secrets/dagster-ui-client-secret'
          identity: writer.id
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'webserver'
          image: image
          command: [
            'dagster-webserver'
            '-h'
            '0.0.0.0'
            '-p'
            '${uiPort}'
            '-w'
            '/opt/dagster/workspace.yaml'
          ]
          env: variables
          resources: {
            cpu: json(resourcesOfServers.cpu)
            memory: resourcesOfServers.memory
          }
          probes: [
            {
              type: 'Startup'
              httpGet: {
                port: uiPort
                path: '/server_info'
              }
              periodSeconds: 5
              failureThreshold: 24
            }
            {
              type: 'Liveness'
              httpGet: {
                port: uiPort
                path: '/server_info'
              }
              periodSeconds: 30
            }
          ]
        }
      ]
      scale: one
    }
  }
  dependsOn: [
    code
  ]
}

// Dagster has no users, so the platform signs people in before a request reaches it.
resource signIn 'Microsoft.App/containerApps/authConfigs@2024-03-01' = {
  parent: webserver
  name: 'current'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          clientSecretSettingName: 'sign-in'
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}

resource upgrade 'Microsoft.App/jobs@2024-03-01' = {
  name: 'upgrade'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${owner.id}': {}
    }
  }
  properties: {
    environmentId: environmentId
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 1800
      replicaRetryLimit: 0
      manualTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
      }
      registries: [
        {
          server: registryServer
          identity: owner.id
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'upgrade'
          image: image
          command: [
            'sh'
            '-c'
            'mfcc database upgrade && mfcc database grant --writer ${writer.name}=${writer.clientId} --reader ${reader.name}=${reader.clientId} --pages ${pages.name}=${pages.clientId}'
          ]
          env: concat(settingsOfAll, [
            {
              name: 'MFCC_DATABASE_URL'
              value: 'mssql+mssqlpython://${owner.clientId}@${sqlServer}/${sqlDatabase}?authentication=ActiveDirectoryMSI'
            }
            {
              name: 'AZURE_CLIENT_ID'
              value: owner.clientId
            }
          ])
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
        }
      ]
    }
  }
}
