// The Functions app, which answers the endpoint of the article. The Functions host runs as a container in the network of
// Dagster. As a zip package it would contain the same libraries of 1 GB, and would compile its kernels at every cold start.
param location string
param environmentId string
param registryServer string
param imageTag string
param settings object
param sqlServer string
param sqlDatabase string
param reader object
param signInClientId string

var port = 8080

resource functions 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'functions'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${reader.id}': {}
    }
  }
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      registries: [
        {
          server: registryServer
          identity: reader.id
        }
      ]
      ingress: {
        external: true
        transport: 'auto'
        targetPort: port
        allowInsecure: false
      }
    }
    template: {
      containers: [
        {
          name: 'functions'
          image: '${registryServer}/mfcc-functions:${imageTag}'
          env: concat(map(items(settings), setting => {
            name: setting.key
            value: setting.value
          }), [
            {
              name: 'MFCC_DATABASE_URL'
              value: 'mssql+mssqlpython://${reader.clientId}@${sqlServer}/${sqlDatabase}?authentication=ActiveDirectoryMSI'
            }
            {
              name: 'MFCC_CACHE_GIGABYTES'
              value: '0.5'
            }
            {
              name: 'AZURE_CLIENT_ID'
              value: reader.clientId
            }
          ])
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          probes: [
            {
              type: 'Startup'
              tcpSocket: {
                port: port
              }
              periodSeconds: 5
              failureThreshold: 24
            }
          ]
        }
      ]
      // Without callers there is no replica. The next caller waits until the host has started.
      scale: {
        minReplicas: 0
        maxReplicas: 5
        rules: [
          {
            name: 'callers'
            http: {
              metadata: {
                concurrentRequests: '20'
              }
            }
          }
        ]
      }
    }
  }
}

resource signIn 'Microsoft.App/containerApps/authConfigs@2024-03-01' = {
  parent: functions
  name: 'current'
  properties: {
    platform: {
      enabled: true
    }
    // Callers are programs, which cannot use a sign-in page. They send a token of Entra.
    globalValidation: {
      unauthenticatedClientAction: 'Return401'
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            'api://${signInClientId}'
            signInClientId
          ]
        }
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}
